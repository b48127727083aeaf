-- `cross join` keeps the order of the tables: a lookup for each key.
-- name: find_idempotencies
select idempotency.owner, idempotency.key, fingerprint, task_id, response
from json_each(:owners) as wanted_owner cross join json_each(:keys) as wanted_key cross join idempotency
where wanted_key.key = wanted_owner.key
and idempotency.owner = wanted_owner.value and idempotency.key = wanted_key.value

-- name: lock_schedules
