throw new Error("there is no WebRTC in Node.js here");
