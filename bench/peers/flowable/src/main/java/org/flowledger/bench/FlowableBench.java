package org.flowledger.bench;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.flowable.common.engine.api.delegate.event.FlowableEngineEventType;
import org.flowable.common.engine.api.delegate.event.FlowableEvent;
import org.flowable.common.engine.impl.history.HistoryLevel;
import org.flowable.engine.ProcessEngine;
import org.flowable.engine.delegate.event.AbstractFlowableEngineEventListener;
import org.flowable.engine.impl.cfg.ProcessEngineConfigurationImpl;
import org.flowable.engine.impl.cfg.StandaloneProcessEngineConfiguration;

/**
 * Runs one of the comparison's processes on an embedded Flowable engine and prints the result as one line of JSON.
 *
 * <p>The only argument is a JSON file written by bench/peers/flowable_engine.py:
 * {@code {url, user, password, process, model, start: [variables…], complete: {element: variables},
 * threads, warmUpSeconds, seconds, tablesBytes: the query of their size}}. The database must be empty; the engine lays its own tables.
 */
public final class FlowableBench {

    /** Instances that may be on their way at once; above it clients finish work before they start more. */
    static final int IN_FLIGHT = 100;

    private FlowableBench() {}

    public static void main(String[] arguments) throws Exception {
        Map<String, Object> job = new ObjectMapper()
                .readValue(Files.readString(Path.of(arguments[0])), new TypeReference<Map<String, Object>>() {});
        int threads = ((Number) job.get("threads")).intValue();
        AtomicInteger finished = new AtomicInteger();
        try (HikariDataSource pool = pool(job, threads)) {
            ProcessEngine engine = engine(pool, threads, finished);
            try {
                System.out.println(new ObjectMapper().writeValueAsString(measure(engine, pool, job, threads, finished)));
            } finally {
                engine.close();
            }
        }
    }

    private static HikariDataSource pool(Map<String, Object> job, int threads) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl((String) job.get("url"));
        config.setUsername((String) job.get("user"));
        config.setPassword((String) job.get("password"));
        config.setMaximumPoolSize(2 * threads + 4); // clients, the executor's threads, acquisition
        return new HikariDataSource(config);
    }

    private static ProcessEngine engine(HikariDataSource pool, int threads, AtomicInteger finished) {
        ProcessEngineConfigurationImpl configuration = new StandaloneProcessEngineConfiguration();
        configuration.setDataSource(pool);
        configuration.setDatabaseSchemaUpdate("true");
        configuration.setHistoryLevel(HistoryLevel.AUDIT);
        configuration.setDisableIdmEngine(true); // nothing of the workload asks for users or events from outside
        configuration.setDisableEventRegistry(true);
        configuration.setAsyncExecutorActivate(true);
        configuration.setAsyncExecutorCorePoolSize(threads);
        configuration.setAsyncExecutorMaxPoolSize(threads);
        configuration.setEventListeners(List.of(new FinishedCounter(finished)));
        return configuration.buildProcessEngine();
    }

    private static Map<String, Object> measure(
            ProcessEngine engine, HikariDataSource pool, Map<String, Object> job, int threads, AtomicInteger finished)
            throws Exception {
        engine.getRepositoryService().createDeployment()
                .addString(job.get("process") + ".bpmn20.xml", Files.readString(Path.of((String) job.get("model"))))
                .deploy();
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("emptyBytes", tablesBytes(pool, (String) job.get("tablesBytes")));
        Load load = job.get("process").equals("one_task") ? new OneTaskLoad(job, finished) : new ApprovalLoad(job);

        load.run(engine, threads, ((Number) job.get("warmUpSeconds")).doubleValue());
        load.forgetDurations();
        Instant began = Instant.now();
        load.run(engine, threads, ((Number) job.get("seconds")).doubleValue());
        Instant ended = Instant.now();
        waitUntilSettled(engine);

        long counted = engine.getHistoryService().createHistoricProcessInstanceQuery()
                .finishedAfter(Date.from(began)).finishedBefore(Date.from(ended)).count();
        result.put("instancesPerSecond", counted * 1000.0 / (ended.toEpochMilli() - began.toEpochMilli()));
        result.put("instances", engine.getHistoryService().createHistoricProcessInstanceQuery().count());
        result.put("unfinished", engine.getHistoryService().createHistoricProcessInstanceQuery().unfinished().count());
        result.put("durations", load.durations());
        return result;
    }

    /** Lets the async executor end what clients have completed, for at most ten seconds. */
    private static void waitUntilSettled(ProcessEngine engine) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (System.nanoTime() < deadline
                && engine.getManagementService().createJobQuery().count() > 0) {
            Thread.sleep(50);
        }
    }

    private static long tablesBytes(HikariDataSource pool, String query) throws SQLException {
        try (var connection = pool.getConnection();
                var statement = connection.createStatement();
                var rows = statement.executeQuery(query)) {
            rows.next();
            return rows.getLong(1);
        }
    }

    /** Counts ended instances, so that clients know how many are on their way. */
    private static final class FinishedCounter extends AbstractFlowableEngineEventListener {
        private final AtomicInteger finished;

        FinishedCounter(AtomicInteger finished) {
            this.finished = finished;
        }

        @Override
        public void onEvent(FlowableEvent event) {
            if (event.getType() == FlowableEngineEventType.PROCESS_COMPLETED) {
                finished.incrementAndGet();
            }
        }
    }
}
