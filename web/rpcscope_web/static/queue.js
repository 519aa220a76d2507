import "./queues.js";
