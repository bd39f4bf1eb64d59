export const reporter: unknown;
