import { BlockList, isIP } from 'node:net';

/** Tells whether an address is one of these, or in one of these networks. IPv4 written as IPv6 counts as IPv4. */
export function addressList(entries: readonly string[]): (ip: string) => boolean {
  const list = new BlockList();
  const family = (ip: string) => (isIP(ip) === 6 ? 'ipv6' : 'ipv4');
  for (const entry of entries) {
    const [ip = '', bits] = entry.split('/');
    if (bits === undefined) list.addAddress(ip, family(ip));
    else list.addSubnet(ip, Number(bits), family(ip));
  }
  return (given) => {
    const ip = given.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
    return isIP(ip) !== 0 && list.check(ip, family(ip));
  };
}

/**
 * Whom a request comes from: the socket's address, or, where that is a proxy of ours, the last address in
 * X-Forwarded-For that is none.
 */
export function clientAddress(socket: string, forwarded: string | undefined, isProxy: (ip: string) => boolean): string {
  const hops = (forwarded ?? '')
    .split(',')
    .map((h) => h.trim())
    .filter((h) => h !== '');
  let ip = socket;
  while (isProxy(ip) && hops.length > 0) ip = hops.pop() ?? ip;
  return ip;
}
