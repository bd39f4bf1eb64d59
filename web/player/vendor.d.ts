// What the entrance serves beside the page.
declare module "*.mjs" {
  const module: unknown;
  export default module;
}
