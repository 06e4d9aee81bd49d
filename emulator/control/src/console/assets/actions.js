// Buttons on a turn. Whoever adds one calls `addTurnAction` once, when its module is loaded:
//
//   addTurnAction({ id: 'save', label: 'Save as scenario', run: (turn) => ... });
//
// `turn` is `{ root, seqs }`: the position of the exchange that began it, and of all that belong to it.
// `when(turn)` may say that an action is not for this turn.

const actions = [];

export function addTurnAction(action) {
  actions.push({ when: () => true, ...action });
}

/** The actions for a turn, in the order in which they were added. */
export const turnActions = (turn) => actions.filter((action) => action.when(turn));
