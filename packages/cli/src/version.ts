/** The release of the command and of the agent; a test holds it equal to the root package.json. */
export const VERSION = "0.1.0";
