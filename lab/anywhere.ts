import { type Lab, type LabOptions, PortInUse, startLab } from './lab.ts';

/**
 * Brings a lab up on the first of these port offsets that nobody else uses: another checkout's lab may be running on
 * this machine.
 * @param options.offsets tried in turn; RINGMASTER_LAB_OFFSET, where it is set, is the only one
 * @throws Error if all of them are in use, or in plain words where the machine cannot have a lab
 */
export async function startLabAnywhere(
  options: Omit<LabOptions, 'offset'> & { readonly offsets: readonly number[] },
): Promise<Lab> {
  const { offsets, ...rest } = options;
  const chosen = process.env['RINGMASTER_LAB_OFFSET'];
  for (const offset of chosen === undefined ? offsets : [Number(chosen)]) {
    try {
      return await startLab({ ...rest, offset });
    } catch (error) {
      if (!(error instanceof PortInUse)) throw error;
      rest.progress?.(`${error.message.split(':')[0]}: trying other ports …`);
    }
  }
  throw new Error(
    chosen === undefined
      ? 'every range of ports for a lab is in use: set RINGMASTER_LAB_OFFSET, or take a lab down'
      : `the ports of RINGMASTER_LAB_OFFSET=${chosen} are in use`,
  );
}
