-- What a job is for: the work of its element, or a listener that is asked at some moment (numbers: projections/jobs.py).
-- denied_reason: NULL, a task listener did not deny. headers: in place of the element's own.
ALTER TABLE read_model.jobs
    ADD COLUMN kind smallint NOT NULL DEFAULT 0,
    ADD COLUMN listener_event smallint NOT NULL DEFAULT 0,
    ADD COLUMN denied_reason text,
    ADD COLUMN headers text;
