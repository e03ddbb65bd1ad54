// Which panels of the review are open.

import { signal } from "@preact/signals";

export const filterOpen = signal(false);
export const rubricOpen = signal(false);
