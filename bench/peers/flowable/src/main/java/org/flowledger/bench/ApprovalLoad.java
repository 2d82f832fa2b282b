package org.flowledger.bench;

import java.util.List;
import java.util.Map;
import org.flowable.engine.ProcessEngine;
import org.flowable.engine.TaskService;
import org.flowable.task.api.Task;

/** Each client takes one approval from start to end: start, look for its open tasks, complete each. */
final class ApprovalLoad extends Load {

    ApprovalLoad(Map<String, Object> job) {
        super(job);
    }

    @Override
    void client(ProcessEngine engine, int client) {
        TaskService tasks = engine.getTaskService();
        for (int number = client; !isOver(); number++) {
            long began = System.nanoTime();
            String instance = engine.getRuntimeService()
                    .startProcessInstanceByKey(process, startVariables(number))
                    .getId();
            took("start", began);
            for (List<Task> open = open(tasks, instance); !open.isEmpty(); open = open(tasks, instance)) {
                for (Task task : open) {
                    began = System.nanoTime();
                    tasks.complete(task.getId(), completionVariables(task.getTaskDefinitionKey()));
                    took("complete", began);
                }
            }
        }
    }

    private List<Task> open(TaskService tasks, String instance) {
        long began = System.nanoTime();
        List<Task> open = tasks.createTaskQuery().processInstanceId(instance).list();
        took("list", began);
        return open;
    }
}
