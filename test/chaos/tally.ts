/** What one round was. */
export interface RoundTally {
  readonly fault: string;
  /** Calls in each state when it came, and agents in after-call work. */
  readonly states: Readonly<Record<string, number>>;
  /** Calls that lived then. */
  readonly live: number;
  /** From when control could come back until a live call obeyed, whichever instance was asked; seconds. */
  back?: number;
  /** From when the rest was mended until a live call obeyed at every instance; seconds. */
  whole?: number;
  /** Where the time of the round went, seconds. */
  readonly took: Record<string, number>;
  readonly found: string[];
}

/** What a run has broken, and what came of it. */
export class Tally {
  readonly rounds: RoundTally[] = [];
  readonly seed: number;
  calls = 0;
  /** Telephones that were hung up on for no reason of theirs. */
  dropped = 0;
  /** Events that the witness could not be given. */
  lost = 0;
  ghosts = 0;
  recordings = { judged: 0, shortest: 0 };
  versions = { judged: 0, commits: 0, unknown: 0 };
  /** Found at the end, in no round. */
  readonly left: string[] = [];

  constructor(seed: number) {
    this.seed = seed;
  }

  get findings(): readonly string[] {
    return [...this.rounds.flatMap((r, i) => r.found.map((one) => `round ${i + 1}, ${r.fault}: ${one}`)), ...this.left];
  }

  /** As Markdown. */
  markdown(): string {
    const live = this.rounds.map((r) => r.live);
    const states = [...new Set(this.rounds.flatMap((r) => Object.keys(r.states)))];
    const faults = [...new Set(this.rounds.map((r) => r.fault))].toSorted();
    const ofState = (state: string): number[] => this.rounds.map((r) => r.states[state] ?? 0);
    const back = (of: readonly RoundTally[]): number[] => of.flatMap((r) => r.back ?? []);
    const rows = [
      ['rounds', this.rounds.length],
      ['calls that ended', this.calls],
      ['live calls at a fault (least, p50, most)', spread(live, 0)],
      ['telephones dropped by us', this.dropped],
      ['events lost', this.lost],
      ['ghosts', this.ghosts],
      ['found wrong', this.findings.length],
      ['seconds until control was back (least, p50, most)', spread(back(this.rounds), 2)],
      [
        'seconds until all instances were (least, p50, most)',
        spread(
          this.rounds.flatMap((r) => r.whole ?? []),
          2,
        ),
      ],
      ['recordings whole', `${this.recordings.judged}, at most ${this.recordings.shortest.toFixed(1)} s short`],
      [
        'calls with every version once',
        `${this.versions.judged} (${this.versions.commits} commits); not known of ${this.versions.unknown}`,
      ],
    ];
    return [
      `Seed ${this.seed}`,
      '',
      ...table(['', ''], rows),
      '',
      ...table(
        ['state', 'calls at a fault (least, p50, most)'],
        states.map((state) => [state, spread(ofState(state), 0)]),
      ),
      '',
      ...table(
        ['fault', 'rounds', 'control back after s (least, p50, most)', 'found wrong'],
        faults.map((fault) => {
          const of = this.rounds.filter((r) => r.fault === fault);
          return [fault, of.length, spread(back(of), 2), of.reduce((sum, r) => sum + r.found.length, 0)];
        }),
      ),
      '',
      ...this.findings.map((one) => `- ${one}`),
    ].join('\n');
  }

  /** As data. */
  json(): unknown {
    const { seed, calls, dropped, lost, ghosts, recordings, versions, rounds, findings } = this;
    return { seed, calls, dropped, lost, ghosts, recordings, versions, rounds, findings };
  }
}

/** The least, the one in the middle, and the most. */
function spread(of: readonly number[], digits: number): string {
  if (of.length === 0) return '–';
  const sorted = of.toSorted((a, b) => a - b);
  const at = (i: number): string => (sorted[i] ?? 0).toFixed(digits);
  return `${at(0)}, ${at(Math.floor((sorted.length - 1) / 2))}, ${at(sorted.length - 1)}`;
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
