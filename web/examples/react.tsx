import { createRoot } from "react-dom/client";
import { Player } from "./Player";

createRoot(document.getElementById("root")!).render(<Player url="https://entrance.example.com/events/town-hall/" />);
