import { createHash } from 'node:crypto';

/** A Lua script and the digest by which Redis knows it. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

/** @param lua the script's text; it must name every key that it touches in KEYS */
export function script(lua: string): Script {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}
