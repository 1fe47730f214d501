/** The name of the embedded engine in facts, logs and metrics. No engine of a configuration may have it. */
export const EMBEDDED = 'embedded'
