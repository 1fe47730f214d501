/** The mechanisms that both sides know, the best one first. */
export const MECHANISMS = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'PLAIN', 'LOGIN'] as const
export type Mechanism = (typeof MECHANISMS)[number]
