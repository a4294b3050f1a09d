import { onCall, type RequestContext, type Serve } from './context.ts';

/** RequestStartRecording. A call that was recorded before goes on in the same recording. */
export const startRecording: Serve<'RequestStartRecording'> = (context, params) => {
  const target = context.live(params.callID)?.recording ?? context.newRecording();
  const { uuid, url } = target;
  return onCall(context, params, { kind: 'start-recording', ...named(params), uuid, url }, () => ({
    recordUUID: context.live(params.callID)?.recording?.uuid ?? uuid,
  }));
};

/** RequestStopRecording. */
export const stopRecording: Serve<'RequestStopRecording'> = (context, params) =>
  change(context, params, 'stop-recording');

/** RequestPauseRecording. */
export const pauseRecording: Serve<'RequestPauseRecording'> = (context, params) =>
  change(context, params, 'pause-recording');

/** RequestResumeRecording. */
export const resumeRecording: Serve<'RequestResumeRecording'> = (context, params) =>
  change(context, params, 'resume-recording');

interface Params {
  readonly callID: string;
  readonly thisDN?: string | undefined;
  readonly referenceID?: number | undefined;
}

const named = ({ thisDN, referenceID }: Params) => ({
  ...(thisDN !== undefined && { thisDN }),
  referenceID: referenceID ?? 0,
});

/** Only a call that has a recording accepts these, and it keeps that recording. */
function change(
  context: RequestContext,
  params: Params,
  kind: 'stop-recording' | 'pause-recording' | 'resume-recording',
) {
  const before = context.live(params.callID)?.recording?.uuid;
  return onCall(context, params, { kind, ...named(params) }, () => ({
    recordUUID: context.live(params.callID)?.recording?.uuid ?? before ?? '',
  }));
}
