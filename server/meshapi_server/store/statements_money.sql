-- The ledger (docs/decisions/0009). Amounts are nano-dollars; a day counts from 1970-01-01, UTC.

-- name: insert_ledger
insert into ledger (id, at, owner, day, key_id, model, task_id, upstream, upstream_ref, kind, source, target, amount)
values (:id, :at, :owner, :day, :key_id, :model, :task_id, :upstream, :upstream_ref, :kind, :source, :target, :amount)

-- name: name_doubt
-- The id that an upstream told when the task had ended already.
update ledger set upstream_ref = :upstream_ref where task_id = :task_id and upstream_ref is null
and kind in ('doubt', 'book')

-- name: lock_spending
-- What a key has used of a day (or of all days), as it is now and stays until this transaction ends.
insert into spending (key_id, day, held, spent) values (:key_id, :day, 0, 0)
on conflict (key_id, day) do update set held = spending.held returning held, spent

-- name: add_spending
insert into spending (key_id, day, held, spent) values (:key_id, :day, :held, :spent)
on conflict (key_id, day) do update set held = spending.held + excluded.held, spent = spending.spent + excluded.spent

-- name: add_usage
insert into daily_usage (owner, day, key_id, model, shard, tasks, held, spent, unknown, doubtful)
values (:owner, :day, :key_id, :model, :shard, :tasks, :held, :spent, :unknown, :doubtful)
on conflict (owner, day, key_id, model, shard) do update set
  tasks = daily_usage.tasks + excluded.tasks, held = daily_usage.held + excluded.held,
  spent = daily_usage.spent + excluded.spent, unknown = daily_usage.unknown + excluded.unknown,
  doubtful = daily_usage.doubtful + excluded.doubtful

-- name: usage_of_owner
select owner, day, key_id, model, cast(sum(tasks) as bigint), cast(sum(held) as bigint), cast(sum(spent) as bigint),
       cast(sum(unknown) as bigint), cast(sum(doubtful) as bigint)
from daily_usage where owner = :owner and day >= :first and day <= :last
group by owner, day, key_id, model order by owner, day, key_id, model

-- name: usage_of_all
select owner, day, key_id, model, cast(sum(tasks) as bigint), cast(sum(held) as bigint), cast(sum(spent) as bigint),
       cast(sum(unknown) as bigint), cast(sum(doubtful) as bigint)
from daily_usage where day >= :first and day <= :last
group by owner, day, key_id, model order by owner, day, key_id, model

-- name: charges_of_upstream
-- What ended at an upstream in a time, line by line: to be compared with its invoice.
select task_id, upstream_ref, model, kind, target, amount
from ledger where upstream = :upstream and at >= :since and at < :before and kind in ('settle', 'doubt', 'book')
order by at, id

-- name: charges_by_reference
-- What its upstream never named goes by our own id, so that an operator who has found out can say so.
select task_id, upstream_ref, model, kind, target, amount
from ledger where upstream = :upstream and upstream_ref {one of references} and kind in ('settle', 'doubt', 'book')
union all
select task_id, task_id, model, kind, target, amount
from ledger where upstream = :upstream and upstream_ref is null and task_id {one of references}
and kind in ('settle', 'doubt', 'book')

-- name: ledger_of_task
select kind, owner, day, key_id, model, amount, at, upstream, upstream_ref from ledger where task_id = :task_id order by id
