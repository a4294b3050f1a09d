import type { MethodName } from '../../cti/requests.ts';
import { agentLogin, agentLogout, agentNotReady, agentReady, delayAfterCallWork, listAgents } from './agents.ts';
import { answerCall, clearCall, makeCall, releaseCall, updateAttachedData } from './basic.ts';
import { deleteFromConference, singleStepConference } from './conference.ts';
import { cancelConsult, conferenceConsult, initiateConsult, retrieveConsult, transferConsult } from './consult.ts';
import type { Serve } from './context.ts';
import { holdCall, muteCall, retrieveCall, sendDtmf, unmuteCall } from './hold.ts';
import { getCallInfo, listCalls } from './queries.ts';
import { pauseRecording, resumeRecording, startRecording, stopRecording } from './recording.ts';
import { bargein, intercept, monitor, stopSupervision, whisper } from './supervise.ts';
import { singleStepTransfer } from './transfer.ts';

export { madeAs, makeCall } from './basic.ts';
export type { Answer, RequestContext, Unsent } from './context.ts';

/** The methods that the engine serves. Those of the table that are missing here are answered as unknown. */
export const METHODS_SERVED: { readonly [M in MethodName]?: Serve<M> } = {
  RequestMakeCall: makeCall,
  RequestAnswerCall: answerCall,
  RequestReleaseCall: releaseCall,
  RequestClearCall: clearCall,
  RequestHoldCall: holdCall,
  RequestRetrieveCall: retrieveCall,
  RequestMuteCall: muteCall,
  RequestUnmuteCall: unmuteCall,
  RequestSendDtmf: sendDtmf,
  RequestUpdateAttachedData: updateAttachedData,
  RequestSingleStepTransfer: singleStepTransfer,
  RequestInitiateConsult: initiateConsult,
  RequestCancelConsult: cancelConsult,
  RequestRetrieveConsult: retrieveConsult,
  RequestTransferConsult: transferConsult,
  RequestConferenceConsult: conferenceConsult,
  RequestStartRecording: startRecording,
  RequestStopRecording: stopRecording,
  RequestPauseRecording: pauseRecording,
  RequestResumeRecording: resumeRecording,
  RequestSingleStepConference: singleStepConference,
  RequestDeleteFromConference: deleteFromConference,
  RequestMonitor: monitor,
  RequestWhisper: whisper,
  RequestBargein: bargein,
  RequestIntercept: intercept,
  RequestStopSupervision: stopSupervision,
  RequestGetCallInfo: getCallInfo,
  RequestListCalls: listCalls,
  RequestAgentLogin: agentLogin,
  RequestAgentReady: agentReady,
  RequestAgentNotReady: agentNotReady,
  RequestAgentLogout: agentLogout,
  RequestDelayAfterCallWork: delayAfterCallWork,
  RequestListAgents: listAgents,
};
