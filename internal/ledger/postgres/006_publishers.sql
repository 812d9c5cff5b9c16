-- Each start of a watcher asks who may publish, as it was last recorded.
CREATE INDEX audit_publishers ON audit (idx) WHERE event = 'publishers.changed';
