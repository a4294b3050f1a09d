/** Ctrl-C and its like, caught so that what was started can be taken down first. */
export interface Interruption {
  /** The signal, once one has come. */
  readonly signal: NodeJS.Signals | undefined;
  /** Resolves with the first signal. */
  readonly happened: Promise<NodeJS.Signals>;
}

/** Catches SIGINT, SIGTERM and SIGHUP from now on, and says so once; further ones are ignored. */
export function catchInterruption(): Interruption {
  let signal: NodeJS.Signals | undefined;
  const happened = new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        if (signal === undefined) console.log(`\n${name}: taking everything down …`);
        signal ??= name;
        resolve(signal);
      });
    }
  });
  return {
    get signal() {
      return signal;
    },
    happened,
  };
}
