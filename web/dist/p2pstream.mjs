import "./p2pstream.js";
export default globalThis.P2PStream;
