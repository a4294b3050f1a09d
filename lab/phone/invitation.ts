import type { Dialog, Sender } from './dialog.ts';
import { cseq, type SipRequest, type SipResponse } from './message.ts';

/** The INVITE by which a call of ours begins, and the CANCEL that gives it up. */
export class Invitation {
  readonly #sender: Sender;
  readonly #dialog: Dialog;
  #invite: SipRequest;
  /** The far end has said something since the INVITE was last sent. */
  #provisional = false;
  #cancelling = false;

  constructor(sender: Sender, dialog: Dialog, invite: SipRequest) {
    this.#sender = sender;
    this.#dialog = dialog;
    this.#invite = invite;
  }

  /** As it was last sent. */
  get invite(): SipRequest {
    return this.#invite;
  }

  /** True from when it was given up. */
  get cancelled(): boolean {
    return this.#cancelling;
  }

  /**
   * Sends it.
   * @param body what is offered
   * @param onProvisional told of every answer that is not the last
   * @returns the final answer
   */
  async send(body: string, onProvisional: (response: SipResponse) => void): Promise<SipResponse> {
    return await this.#sender.ask(
      (extra) => {
        this.#provisional = false;
        this.#invite = this.#dialog.invitation(this.#invite, body, extra);
        return this.#invite;
      },
      this.#dialog.peer,
      (response) => {
        if (response.status > 100) this.#dialog.learn(response);
        if (!this.#provisional) {
          this.#provisional = true;
          if (this.#cancelling) void this.#sendCancel();
        }
        onProvisional(response);
      },
    );
  }

  /** The ACK to its 2xx. */
  acknowledge(answer: SipResponse): void {
    this.#dialog.learn(answer);
    this.#dialog.acknowledge(this.#invite);
  }

  /** Gives it up; the CANCEL goes once the far end has said anything at all. */
  async cancel(): Promise<void> {
    if (this.#cancelling) return;
    this.#cancelling = true;
    if (this.#provisional) await this.#sendCancel();
  }

  async #sendCancel(): Promise<void> {
    const { uri, headers } = this.#invite;
    const cancel: SipRequest = {
      kind: 'request',
      method: 'CANCEL',
      uri,
      headers: [
        ...headers.filter(([name]) => ['Via', 'From', 'To', 'Call-ID'].includes(name)),
        ['Max-Forwards', '70'],
        ['CSeq', `${cseq(this.#invite).number} CANCEL`],
      ],
      body: '',
    };
    await this.#sender.transactions.request(cancel, this.#dialog.peer);
  }
}
