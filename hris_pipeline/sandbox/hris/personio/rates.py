"""Limits of requests: a token bucket, and so many in a span of time."""


class Bucket:
    """A token bucket: ``rate`` a second, at most ``burst`` at once."""

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self.rate = rate
        self.burst = burst
        self.level = float(burst)
        self.at = now

    def take(self, now: float) -> bool:
        """Whether one more request may pass now."""
        self.level = min(self.burst, self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


class Window:
    """So many requests in each span of ``seconds``."""

    def __init__(self, most: int, seconds: float, now: float) -> None:
        self.most = most
        self.seconds = seconds
        self.begin = now
        self.count = 0

    def take(self, now: float) -> bool:
        """Whether one more request may pass now."""
        if now - self.begin >= self.seconds:
            self.begin, self.count = now, 0
        self.count += 1
        return self.count <= self.most
