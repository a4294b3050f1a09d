/** Every port of a lab. All of them are on 127.0.0.1. */
export interface LabPorts {
  /** Asterisk's SIP, UDP and TCP. */
  readonly sip: number;
  /** Asterisk's HTTP server, which carries ARI. */
  readonly http: number;
  readonly ami: number;
  readonly redis: number;
  /** Where a Ringmaster started on the lab's configuration listens. */
  readonly rpc: number;
  /** The standing agents' phones: one socket for all of them. */
  readonly agents: number;
  /** The standing customers' phones, which are also the carrier. */
  readonly customers: number;
  /** Nothing ever listens here. */
  readonly dead: number;
  readonly rtpStart: number;
  readonly rtpEnd: number;
}

const HIGHEST_OFFSET = 1900;
/** RTP ports of one lab: two for each leg. */
const RTP_BLOCK = 4000;

/**
 * The ports of the lab with this offset. Multiples of 100 never collide with each other, and each of the first ten has an
 * RTP range of its own.
 * @param offset whole number, 0 to 1900, added to every signalling port
 * @throws RangeError for any other number
 */
export function labPorts(offset: number): LabPorts {
  if (!Number.isInteger(offset) || offset < 0 || offset > HIGHEST_OFFSET) {
    throw new RangeError(`a lab's offset is a whole number from 0 to ${HIGHEST_OFFSET}, not ${offset}`);
  }
  const rtpStart = 20_000 + (Math.floor(offset / 100) % 10) * RTP_BLOCK;
  return {
    sip: 15_060 + offset,
    http: 18_088 + offset,
    ami: 15_038 + offset,
    redis: 16_379 + offset,
    rpc: 18_090 + offset,
    agents: 15_070 + offset,
    customers: 15_080 + offset,
    dead: 15_099 + offset,
    rtpStart,
    rtpEnd: rtpStart + RTP_BLOCK - 1,
  };
}
