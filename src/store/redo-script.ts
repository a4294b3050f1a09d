import { type Script, script } from './script.ts';

/** Seconds that a process's count of its writes outlives the last of them; what it remembers of them is forgotten long before. */
const COUNT_SECONDS = 86_400;

/** In place of a number: live state is stored anew, which is none of the counted writes. */
export const HELD = 'held';

/** A script that writes, and is done again where Redis has lost what it wrote. */
export interface WriteScript extends Script {
  /** Whether an answer says that something was written: anything else is not done again. */
  wrote(answer: unknown): boolean;
}

/**
 * A script whose writes are remembered by the process that has them done (see {@link RedoLog}). Redis counts them in the
 * same script, so that how much of them it has is known afterwards to the last one.
 *
 * @param lua its text. It answers with `return` as any script does, and finds in `again` whether it is done once more
 *   because its first time was lost. What then differs: nobody else's newer state may be overwritten, and a fence or token
 *   that counted at the time counts still. One that is lost is lost whole, so what it adds or takes away is simply done.
 * @param wrote whether an answer says that something was written; by default it is 1
 */
export function writing(lua: string, wrote: (answer: unknown) => boolean = (answer) => answer === 1): WriteScript {
  const whole = `local function work(again)
${lua}
end
local count, place = table.remove(KEYS), table.remove(ARGV)
local answer = work(place ~= '')
if place == '${HELD}' then return {answer, 0} end
local n
if place == '' then
  n = redis.call('INCR', count)
else
  n = tonumber(place)
  redis.call('SET', count, place)
end
redis.call('EXPIRE', count, ${COUNT_SECONDS})
return {answer, n}
`;
  return { ...script(whole), wrote };
}

/** KEYS 1 a process's count of its writes. ARGV 1 what it is at least. Answers what it was. */
export const COUNT = script(`
local count = tonumber(redis.call('GET', KEYS[1]) or '0')
if tonumber(ARGV[1]) > count then redis.call('SET', KEYS[1], ARGV[1], 'EX', ${COUNT_SECONDS}) end
return count
`);
