import type { AsteriskInfo, AsteriskPing, Variable } from '../types.generated.ts';
import type { CallOptions, Requester } from './requester.ts';

/** The /asterisk resource. Every method rejects with an AriError. */
export class AsteriskResource {
  readonly #ari: Requester;

  constructor(ari: Requester) {
    this.#ari = ari;
  }

  ping(options?: CallOptions): Promise<AsteriskPing> {
    return this.#ari.request('GET', '/asterisk/ping', options);
  }

  /** @param only parts wanted; all by default. `status.startup_time` tells a restart */
  info(only?: readonly ('build' | 'system' | 'config' | 'status')[], options?: CallOptions): Promise<AsteriskInfo> {
    return this.#ari.request('GET', '/asterisk/info', { ...options, query: { only } });
  }

  /** The value of a global variable or function. */
  async getVariable(variable: string, options?: CallOptions): Promise<string> {
    const found = await this.#ari.request<Variable>('GET', '/asterisk/variable', { ...options, query: { variable } });
    return found.value;
  }

  setVariable(variable: string, value: string, options?: CallOptions): Promise<void> {
    return this.#ari.request('POST', '/asterisk/variable', { ...options, body: { variable, value } });
  }
}
