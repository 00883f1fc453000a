import { createInlineCopyEngine } from "../../src/copy/inline-engine.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { describeEngine } from "./engine-conformance.ts";

describeEngine("in-thread", () => createInlineCopyEngine(nodeFileSystem));
