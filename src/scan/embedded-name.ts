/** Names of what runs in our own threads, in facts, logs and metrics. No engine of a configuration may have them. */
export const EMBEDDED = 'embedded'
/** The threads while they only read, for engines beside us. */
export const READINGS = 'readings'
