"""What Prometheus would read at /metrics."""

from prometheus_client.parser import text_string_to_metric_families


class Scrape:
    """The samples of one scrape."""

    def __init__(self, text):
        self.families = list(text_string_to_metric_families(text))
        self.samples = [sample for family in self.families for sample in family.samples]

    def of(self, name, **labels):
        """Return the samples of a name that have these labels."""
        return [s for s in self.samples if s.name == name and labels.items() <= s.labels.items()]

    def total(self, name, **labels):
        """Return the sum of these samples."""
        return sum(sample.value for sample in self.of(name, **labels))

    def buckets(self, name, **labels):
        """Return how many values lie in each bucket of a histogram, without those below it."""
        counts = [sample.value for sample in self.of(f"{name}_bucket", **labels)]
        return [count - below for count, below in zip(counts, [0, *counts], strict=False)]
