/** Q.850 42, switch congestion: how a caller is turned away whom nobody here can serve. Asterisk answers 503. */
export const CONGESTION = 42;
