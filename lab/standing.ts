import type { Behaviour } from './phone/behaviour.ts';

/** One telephone that stands in every lab. */
export interface StandingAgent {
  readonly dn: string;
  readonly behaviour: Behaviour;
  readonly registered: boolean;
}

const ANSWERS: Behaviour = { name: 'answers', steps: [{ do: 'ring' }, { after: 150, do: 'answer' }] };
const ANSWERS_ON_TALK: Behaviour = { name: 'answers-on-talk', steps: [{ do: 'ring' }], answersOnTalk: true };
const RINGS_OUT: Behaviour = { name: 'rings-out', steps: [{ do: 'ring' }] };

/** Extensions with a telephone behind them. 1018-1020 and 1094-1099 are left to tests that bring their own. */
export const STANDING_AGENTS: readonly StandingAgent[] = [
  ...range(1001, 1010).map((dn) => ({ dn, behaviour: ANSWERS, registered: true })),
  ...range(1011, 1014).map((dn) => ({ dn, behaviour: ANSWERS_ON_TALK, registered: true })),
  ...range(1015, 1017).map((dn) => ({ dn, behaviour: ANSWERS, registered: true })),
  { dn: '1090', behaviour: RINGS_OUT, registered: true },
  { dn: '1091', behaviour: refuses('busy', 486), registered: true },
  { dn: '1092', behaviour: refuses('declines', 603), registered: true },
  { dn: '1093', behaviour: ANSWERS, registered: false },
];

/** Extensions that Asterisk knows and that no standing telephone uses: a test may register its own there. */
export const FREE_DNS: readonly string[] = [...range(1018, 1020), ...range(1094, 1099)];

/** A family of customers' numbers which behave alike. */
export interface NumberFamily {
  /** The numbers, as a regular expression; the group `code` is a SIP status. */
  readonly pattern: string;
  /** One number of the family. */
  readonly example: string;
  readonly behaviour: string;
  readonly does: string;
  make(code: number): Behaviour;
}

/** Customers. The whole scheme, so that a number tells what it will do. */
export const NUMBER_FAMILIES: readonly NumberFamily[] = [
  family('91114001', 'answers', 'rings, answers after 300 ms', [
    { after: 50, do: 'ring' },
    { after: 300, do: 'answer' },
  ]),
  family('91114002', 'rings-out', 'rings and never answers', [{ after: 50, do: 'ring' }]),
  family('91114003', 'early-media-then-answers', '183 with a tone, answers after 1 s', [
    { after: 50, do: 'early' },
    { after: 1000, do: 'answer' },
  ]),
  family('91114004', 'early-media-ring-then-answers', '183 with a tone, then 180, then answers', [
    { after: 50, do: 'early' },
    { after: 300, do: 'ring' },
    { after: 300, do: 'answer' },
  ]),
  family('91114005', 'answers-without-ringing', '200 with no 180 before it', [{ after: 100, do: 'answer' }]),
  family('91114006', 'answers-and-hangs-up', 'answers and hangs up at once', [
    { after: 50, do: 'ring' },
    { after: 200, do: 'answer' },
    { do: 'hangUp' },
  ]),
  family('91114007', 'answers-for-a-second', 'answers, hangs up after 1 s', [
    { after: 50, do: 'ring' },
    { after: 200, do: 'answer' },
    { after: 1000, do: 'hangUp' },
  ]),
  family('91114008', 'dead', 'never says more than 100 Trying', []),
  family('91114009', 'announcement', '183 with a tone, and never answers', [{ after: 50, do: 'early' }]),
  {
    pattern: '^91114000(?<code>[3-6]\\d\\d)$',
    example: '91114000486',
    behaviour: 'refuses',
    does: 'refuses after 100 ms with the SIP status that its last three digits name',
    make: (code) => refuses(REFUSAL_NAMES[code] ?? `refuses-${code}`, code),
  },
  {
    pattern: '^91114010(?<code>[3-6]\\d\\d)$',
    example: '91114010480',
    behaviour: 'rings-then-refuses',
    does: 'rings, and after 500 ms refuses with the SIP status that its last three digits name',
    make: (code) => ({
      name: `rings-then-refuses-${code}`,
      steps: [{ do: 'ring' }, { after: 500, do: 'refuse', code }],
    }),
  },
];

/** Common names of refusals; any other is `refuses-<code>`. */
const REFUSAL_NAMES: Readonly<Record<number, string>> = {
  403: 'forbidden',
  404: 'not-found',
  408: 'no-response',
  410: 'gone',
  480: 'unavailable',
  484: 'incomplete',
  486: 'busy',
  500: 'server-error',
  503: 'congested',
  600: 'busy-everywhere',
  603: 'declines',
  607: 'unwanted',
};

/** SIP statuses whose refusing number lab.json lists. */
export const LISTED_REFUSALS = [
  403, 404, 408, 410, 416, 480, 484, 485, 486, 488, 500, 501, 502, 503, 504, 580, 600, 603, 604, 606, 607, 608,
] as const;

/** What the customer with this number does; a number of no family answers like most people do. */
export function customerBehaviour(number: string): Behaviour {
  const bare = number.replace(/^\+/, '');
  for (const one of NUMBER_FAMILIES) {
    const match = new RegExp(one.pattern).exec(bare);
    if (match) return one.make(Number(match.groups?.['code'] ?? 0));
  }
  return ANSWERS;
}

/** What the agent's telephone with this DN does. */
export function agentBehaviour(dn: string): Behaviour {
  return STANDING_AGENTS.find((agent) => agent.dn === dn)?.behaviour ?? RINGS_OUT;
}

/**
 * The tone that an extension sends: 1001 is 450 Hz, 1002 500 Hz … 1020 1400 Hz; 1090 1450 Hz and on, leaving out 1700 Hz,
 * which is the music on hold. Always a multiple of 50.
 */
export function agentTone(dn: string): number {
  const n = Number(dn);
  if (n >= 1090) return n < 1095 ? 1450 + 50 * (n - 1090) : 1750 + 50 * (n - 1095);
  return 400 + 50 * (n - 1000);
}

/** The tone that a customer sends: 2000 to 2950 Hz by the last two digits of the number, twenty different ones. */
export function customerTone(number: string): number {
  return 2000 + 50 * (Number(number.slice(-2)) % 20);
}

function refuses(name: string, code: number): Behaviour {
  return { name, steps: [{ after: 100, do: 'refuse', code }] };
}

function family(prefix: string, behaviour: string, does: string, steps: Behaviour['steps']): NumberFamily {
  return {
    pattern: `^${prefix}\\d{3}$`,
    example: `${prefix}001`,
    behaviour,
    does,
    make: () => ({ name: behaviour, steps }),
  };
}

function range(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => String(from + i));
}
