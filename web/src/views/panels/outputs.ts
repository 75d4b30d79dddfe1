// Which functions of outputs can be ordered, as satel/data/types.csv has it; a test compares.

/** Functions of outputs that can be switched. */
export const switched: ReadonlySet<number> = new Set([24, 25, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 98, 105, 106])

/** The function of an output that opens a door. */
export const doorFunction = 101
