import type { ContactDocument } from '../ports.ts';
import type { Contact } from './contact.ts';

/** A contact with the version that the store has of it. */
export interface Held {
  readonly contact: Contact;
  readonly version: number;
}

export const documentOf = ({ contact, version }: Held): ContactDocument => ({
  id: contact.id,
  json: JSON.stringify(contact),
  version,
});

/** Only desks write these documents, and they write Contacts. */
export const read = ({ json, version }: ContactDocument): Held => ({ contact: JSON.parse(json) as Contact, version });
