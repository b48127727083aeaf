-- What is kept of tasks that ended, and for how long. Ids sort by creation, so that `:newest` bounds the search: what
-- ended before a time was created before it.

-- name: get_linked_task
-- Whoever's it is: the link is signed.
select {task} from task where id = :id

-- name: expired_results
-- The list of conditions is the index's own, word for word.
select id from task
where status = 'succeeded' and files_removed_at is null and id > :after and id < :newest and completed_at < :before
order by id limit :most

-- name: remove_results
update task set files_removed_at = :now, updated_at = {greatest}(updated_at, :now), version = version + 1
where id {one of ids} and status = 'succeeded' and files_removed_at is null returning id

-- name: expired_records
-- A task whose upstream has yet to be told to stop is kept.
select id from task
where id > :after and id < :newest and status in ('succeeded', 'failed') and completed_at < :before
and not exists (select 1 from schedule where schedule.id = task.id)
order by id limit :most

-- name: forget_records
delete from task
where id {one of ids} and status in ('succeeded', 'failed')
and not exists (select 1 from schedule where schedule.id = task.id) returning {columns of task}

-- name: expired_inputs
select distinct task_id from task_input
where task_id < :newest
and exists (select 1 from task where task.id = task_input.task_id and task.completed_at < :before)
order by task_id limit :most

-- name: forget_inputs
delete from task_input where task_id {one of ids} returning task_id

-- name: note_deleted
-- Before tasks are deleted, in the same transaction: those that have files or may have left some, because they were
-- rendered or fetched.
insert into deleted_task (id, deleted_at)
select id, cast(:now as bigint) from task
where id {one of ids} and not exists (select 1 from schedule where schedule.id = task.id)
and (status = 'succeeded'
     or (status = 'failed'
         and exists (select 1 from timeline where task_id = task.id and kind in ('render', 'fetch'))))
order by id
on conflict (id) do nothing returning id

-- name: old_deleted
select id from deleted_task where id > :after and deleted_at < :before order by id limit :most

-- name: forget_deleted
delete from deleted_task where id {one of ids} returning id

-- name: known_tasks
select id from task where id {one of ids}
union all select id from deleted_task where id {one of ids}

-- name: unneeded_files
-- Of these tasks, those whose files this database has removed, or may have made for nobody. A task that failed before it
-- was ever rendered or fetched has no files that this database knows of: if there are any, another state of it made them.
select id from task
where id {one of ids}
and ((status = 'succeeded' and files_removed_at is not null)
     or (status = 'failed'
         and exists (select 1 from timeline where task_id = task.id and kind in ('render', 'fetch'))))
union all select id from deleted_task where id {one of ids}

-- name: needed_files
-- Of these tasks, those that have files or may get some.
select id from task
where id {one of ids} and (status in ('pending', 'running') or (status = 'succeeded' and files_removed_at is null))
