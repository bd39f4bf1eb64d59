export const checker: unknown;
