/** A word of the command line, in quotes where a shell would read something else. */
export const quoted = (text: string): string => (/^[\w./:@=-]+$/.test(text) ? text : `"${text.replace(/["\\$`]/g, '\\$&')}"`)
