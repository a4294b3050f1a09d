/** Who waits for something to be so. It is looked at again whenever something has changed, never by time. */
export class Waiting {
  readonly #looks = new Set<() => void>();

  /** Resolves once the condition holds; whoever waits sets the limit. */
  readonly until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
      look();
    });

  /** Something has changed. */
  readonly changed = (): void => {
    for (const look of [...this.#looks]) look();
  };
}
