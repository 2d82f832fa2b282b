package org.flowledger.bench;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.flowable.engine.ProcessEngine;
import org.flowable.job.api.AcquiredExternalWorkerJob;

/**
 * One thread acquires external worker jobs in batches, the way a worker does; the clients complete what it brings and
 * start new instances meanwhile. Completing hands the instance to the engine's async executor, which ends it.
 */
final class OneTaskLoad extends Load {

    private static final String WORKER = "bench";
    private static final int BATCH = 50;
    private static final int PAUSE_MILLIS = 25;

    private final BlockingQueue<AcquiredExternalWorkerJob> acquired = new LinkedBlockingQueue<>();
    private final AtomicInteger started = new AtomicInteger();
    private final AtomicInteger finished;

    OneTaskLoad(Map<String, Object> job, AtomicInteger finished) {
        super(job);
        this.finished = finished;
    }

    @Override
    int others() {
        return 1; // the acquiring one
    }

    @Override
    void client(ProcessEngine engine, int client) throws InterruptedException {
        if (client == 0) {
            acquire(engine);
        } else {
            work(engine);
        }
    }

    private void acquire(ProcessEngine engine) throws InterruptedException {
        while (!isOver()) {
            long began = System.nanoTime();
            List<AcquiredExternalWorkerJob> jobs = engine.getManagementService()
                    .createExternalWorkerJobAcquireBuilder()
                    .topic("work", Duration.ofMinutes(5))
                    .acquireAndLock(BATCH, WORKER);
            if (!jobs.isEmpty()) {
                took("acquire", began);
                acquired.addAll(jobs);
            }
            if (jobs.size() < BATCH) {
                Thread.sleep(PAUSE_MILLIS); // asking again at once would cost the engine more than it brings
            }
        }
    }

    private void work(ProcessEngine engine) throws InterruptedException {
        while (!isOver()) {
            AcquiredExternalWorkerJob job = acquired.poll();
            if (job == null && started.get() - finished.get() < FlowableBench.IN_FLIGHT) {
                start(engine);
                continue;
            }
            if (job == null) {
                job = acquired.poll(1, TimeUnit.MILLISECONDS);
            }
            if (job != null) {
                complete(engine, job);
            }
        }
    }

    private void start(ProcessEngine engine) {
        int number = started.getAndIncrement();
        long began = System.nanoTime();
        engine.getRuntimeService().startProcessInstanceByKey(process, startVariables(number));
        took("start", began);
    }

    private void complete(ProcessEngine engine, AcquiredExternalWorkerJob job) {
        long began = System.nanoTime();
        engine.getManagementService()
                .createExternalWorkerCompletionBuilder(job.getId(), WORKER)
                .variables(completionVariables(job.getElementId()))
                .complete();
        took("complete", began);
    }
}
