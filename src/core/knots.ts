/** Knots: groups of nodes that all lead to each other; every cycle lies within one. */

/** Strongly connected components with a cycle in them (Tarjan), without recursion: chains can be long. */
export function knots<N>(nodes: Iterable<N>, next: (node: N) => Iterable<N>): readonly ReadonlySet<N>[] {
  const found: ReadonlySet<N>[] = [];
  const order = new Map<N, number>();
  const low = new Map<N, number>();
  const open: N[] = [];
  const isOpen = new Set<N>();
  const enter = (node: N) => {
    order.set(node, order.size);
    low.set(node, order.size - 1);
    open.push(node);
    isOpen.add(node);
    return { node, left: [...next(node)], isOwnNext: false };
  };
  const lower = (node: N, to: number | undefined) =>
    low.set(node, Math.min(low.get(node) as number, to as number));
  for (const start of nodes) {
    if (order.has(start)) continue;
    const trail = [enter(start)];
    for (let at = trail.at(-1); at !== undefined; at = trail.at(-1)) {
      if (at.left.length > 0) {
        const to = at.left.pop() as N;
        at.isOwnNext ||= to === at.node;
        if (!order.has(to)) trail.push(enter(to));
        else if (isOpen.has(to)) lower(at.node, order.get(to));
        continue;
      }
      trail.pop();
      const above = trail.at(-1);
      if (above !== undefined) lower(above.node, low.get(at.node));
      if (low.get(at.node) !== order.get(at.node)) continue;
      const members = new Set(open.splice(open.lastIndexOf(at.node)));
      for (const member of members) isOpen.delete(member);
      if (members.size > 1 || at.isOwnNext) found.push(members);
    }
  }
  return found;
}
