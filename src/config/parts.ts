import { isIP } from 'node:net';
import { z } from 'zod';
import { patternFault } from './patterns.ts';
import { say } from './problems.ts';

/** Kinds of values that several parts of the configuration have. */

/** A whole number with its bounds and its description. */
export const count = (what: string, min: number, max: number) => z.int().min(min).max(max).describe(what);

const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** A name of something in the configuration. */
export const id = (what: string) =>
  z
    .string()
    .regex(ID, { error: say('is not an id', 'Use 1 to 64 letters, digits, dots, dashes and underscores') })
    .describe(what);

/** A regular expression that cannot take for ever, compiled. */
export const pattern = (what: string) =>
  z
    .string()
    .superRefine((source, context) => {
      const fault = patternFault(source);
      if (fault === undefined) return;
      context.addIssue({ code: 'custom', message: say(fault, 'Write a plain expression such as ^\\+?\\d{7,15}$') });
    })
    .transform((source) => new RegExp(patternFault(source) === undefined ? source : '(?!)', 'u'))
    .describe(what);

/** A URL without a password in sight of whoever reads a log line: what it may be is said, what it is is not. */
export const url = (protocols: readonly string[], credentials: boolean, example: string, what: string) =>
  z
    .string()
    .refine(
      (text) => {
        if (!URL.canParse(text)) return false;
        const parsed = new URL(text);
        return (
          protocols.includes(parsed.protocol) && (credentials || (parsed.username === '' && parsed.password === ''))
        );
      },
      { error: say('is not a URL of the kind wanted here', `Write it as ${example}`) },
    )
    .describe(what);

/** An IP address, or a network such as 10.0.0.0/8. */
export const address = (what: string) =>
  z
    .string()
    .refine(
      (text) => {
        const [ip = '', bits, ...rest] = text.split('/');
        const family = isIP(ip);
        if (family === 0 || rest.length > 0) return false;
        return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
      },
      { error: say('is not an IP address or network', 'Write it as 192.0.2.10 or 192.0.2.0/24') },
    )
    .describe(what);

/** A secret of any length; what it is stands in no problem. */
export const secret = (what: string) => z.string().min(1).describe(what);

/** `host:port`, an IPv6 address in brackets. @param example one to write it like */
export const hostAndPort = (example: string) =>
  z
    .string()
    .regex(/^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/, {
      error: say(
        'is not an address and a port',
        `Write it as ${example}, or [::1]${example.slice(example.indexOf(':'))}`,
      ),
      // What is no address has no port that could be over anything.
      abort: true,
    })
    .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535, {
      error: say('has a port over 65535', `Write it as ${example}`),
    })
    .transform((text) => {
      const colon = text.lastIndexOf(':');
      return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
    });

/** How the other side of a TLS connection is trusted. */
export const tls = z
  .strictObject({
    caFile: z.string().min(1).describe('PEM file of the authority to trust instead of the system’s.').optional(),
    servername: z.string().min(1).describe('Name that the certificate carries, where it is not the host.').optional(),
    insecure: z.boolean().describe('Accept any certificate; for test benches.').default(false),
  })
  .describe('Present: connect with TLS ({} for the system’s authorities).');
