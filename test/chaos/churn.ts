import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../support/random.ts';
import type { Place } from './place.ts';
import { didOf, type World } from './world.ts';

/**
 * What somebody does at a place while things are broken, at some moment within a time: the telephones act by themselves,
 * and requests are sent that may or may not be heard.
 *
 * @param within ms
 */
export async function churn(world: World, place: Place, random: Random, within: number): Promise<void> {
  place.disturbed = true;
  const { live, agent, colleague } = place;
  const at = random.int(0, within);
  const what = random.int(0, 5);
  const who = random.int(0, 2);
  await delay(at);
  if (!live) {
    const customer = place.nextCustomer();
    if (what < 3) await world.attempt('RequestMakeCall', { thisDN: agent, otherDN: customer });
    else world.people.call(customer, didOf(place.n));
    return;
  }
  const { callID } = live;
  const phones = [...live.phones.values()];
  const ringing = phones.find((p) => p.ringing);
  if (ringing && what < 4) {
    await (what < 2 ? ringing.answer() : what < 3 ? ringing.refuse(486) : phones[0]?.hangUp());
    return;
  }
  switch (what) {
    case 0:
      await phones[who % phones.length]?.hangUp();
      return;
    case 1:
      await Promise.all(phones.map((p) => p.hangUp()));
      return;
    case 2:
      await world.attempt('RequestHoldCall', { callID, thisDN: agent });
      return;
    case 3:
      await world.attempt('RequestSingleStepTransfer', { callID, thisDN: agent, otherDN: colleague });
      return;
    case 4:
      await world.attempt('RequestInitiateConsult', { callID, thisDN: agent, otherDN: colleague });
      return;
    default:
      await world.attempt('RequestReleaseCall', { callID, thisDN: agent });
  }
}
