/**
 * The ports between the engine and the world, named for what they do for the core. Adapters implement them
 * (switch, store, rpc); nothing here has behaviour.
 */

export type * from './ports/contacts.ts';
export type * from './ports/dialer.ts';
export type * from './ports/instances.ts';
export type * from './ports/masking.ts';
export type * from './ports/nodes.ts';
export type * from './ports/number-lists.ts';
export type * from './ports/places.ts';
export type * from './ports/recordings.ts';
export type * from './ports/rpc.ts';
export type * from './ports/store.ts';
export type * from './ports/switch.ts';
