-- What evaluated decisions are looked for by, beside their process instance: a decision, or a time. Nothing is paid
-- where no decision is evaluated.
CREATE INDEX decision_instances_of_decision ON read_model.decision_instances (decision_id, evaluation_key);
CREATE INDEX decision_instances_evaluated ON read_model.decision_instances (evaluated, evaluation_key, number);
