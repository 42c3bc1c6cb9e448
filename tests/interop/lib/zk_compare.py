"""The model test's loop: the same turns on two servers, until what they say differs; then the shortest script that shows it."""
from . import zk_random, zk_sides

NEEDS = {"connect": "none", "attach": "dropped", "wrong": "dropped"}  # of a slot; everything else wants it open


class Difference:
    """history: the turns that were played, the last one being the one answered differently."""

    def __init__(self, seed, history, seen):
        self.seed, self.history, self.seen = seed, history, seen

    def text(self):
        lines = [f"seed {self.seed}; these turns show it:"]
        lines += [f"  session {slot}: {request}" for slot, turn in self.history for request in turn]
        for name, (own, others) in self.seen.items():
            lines.append(f"{name} answered {own}" + (f", and told the others {others}" if others else ""))
        return "\n".join(lines)


def play(ports, root, seed, turns, slots=4):
    """turns: an iterator over (slot, turn, learn), see `generated`. A Difference, or None. ports: {name: port}, the
    reference last."""
    sides = [zk_sides.Side(name, port, root, slots) for name, port in ports.items()]
    history = []
    try:
        for slot, turn, learn in turns:
            if sides[-1].states()[slot] != NEEDS.get(turn[0][0], "open"):
                continue  # of a script that is being shortened
            history.append((slot, turn))
            for side in sides:
                side.send(slot, turn)
            answers = [side.collect() for side in sides]
            if any(a != answers[-1] for a in answers):
                return Difference(seed, history, {s.name: a for s, a in zip(sides, answers)})
            if learn:
                learn(sides[-1].states(), turn, [words[:3] for words in answers[-1][0] if words[0] != "event"])
        return None
    finally:
        for side in sides:
            side.end()


def generated(script, count):
    for _ in range(count):
        slot, turn = script.turn()
        yield slot, turn, script.learn


def compare(ports, root, seed, count=150, slots=4, without=()):
    """A Difference, or None where `count` turns of this seed were answered alike."""
    return play(ports, root, seed, generated(zk_random.Script(seed, slots, without), count), slots)


def shorten(ports, root, found, slots=4, tries=400):
    """Takes out of a difference's script whatever it shows itself without. root: a prefix of new roots."""
    left = [tries]

    def shows(history):
        left[0] -= 1
        return play(ports, f"{root}-{left[0]}", found.seed, [(slot, turn, None) for slot, turn in history], slots)
    best, size = found, max(len(found.history) // 2, 1)
    while left[0] > 0:
        at, before = 0, len(best.history)
        while at < len(best.history) - 1 and left[0] > 0:
            shown = shows(best.history[:at] + best.history[at + size:])
            best, at = (shown, at) if shown else (best, at + size)
        if size == 1 and len(best.history) == before:
            break
        size = max(size // 2, 1)
    for at in range(len(best.history) - 1, -1, -1):  # and inside the turns
        slot, turn = best.history[at] if at < len(best.history) else (0, [])
        for n in range(len(turn) - 1, -1, -1):
            slot, turn = best.history[at]
            if len(turn) > 1 and n < len(turn) and left[0] > 0:
                best = shows([*best.history[:at], (slot, turn[:n] + turn[n + 1:]), *best.history[at + 1:]]) or best
                if at >= len(best.history):
                    break
    return best
