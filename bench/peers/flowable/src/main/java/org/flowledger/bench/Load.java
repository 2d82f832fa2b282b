package org.flowledger.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.flowable.engine.ProcessEngine;

/** Client threads that give commands, one after the other, until the time is over. */
abstract class Load {

    final String process;
    private final List<Map<String, Object>> starts;
    private final Map<String, Map<String, Object>> completions;
    private final Map<String, ConcurrentLinkedQueue<Double>> durations = new ConcurrentHashMap<>();
    private volatile long deadline;

    @SuppressWarnings("unchecked")
    Load(Map<String, Object> job) {
        process = (String) job.get("process");
        starts = (List<Map<String, Object>>) job.get("start");
        completions = (Map<String, Map<String, Object>>) job.get("complete");
    }

    /** The body of client thread number {@code client}; returns once {@link #isOver()}. */
    abstract void client(ProcessEngine engine, int client) throws Exception;

    /** How many threads besides the clients run {@link #client}; they get the first numbers. */
    int others() {
        return 0;
    }

    /** Lets so many clients give commands for so many seconds. */
    final void run(ProcessEngine engine, int clients, double seconds) throws Exception {
        deadline = System.nanoTime() + (long) (seconds * 1e9);
        int all = clients + others();
        ExecutorService executor = Executors.newFixedThreadPool(all);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int client = 0; client < all; client++) {
                int number = client;
                running.add(executor.submit(() -> {
                    client(engine, number);
                    return null;
                }));
            }
            for (Future<?> client : running) {
                client.get();
            }
        } finally {
            executor.shutdownNow();
        }
    }

    final boolean isOver() {
        return System.nanoTime() >= deadline;
    }

    /** A copy, because the engine may keep the map that it is given. */
    final Map<String, Object> startVariables(int number) {
        return new LinkedHashMap<>(starts.get(number % starts.size()));
    }

    final Map<String, Object> completionVariables(String element) {
        return new LinkedHashMap<>(completions.get(element));
    }

    final void took(String command, long began) {
        double seconds = (System.nanoTime() - began) / 1e9;
        durations.computeIfAbsent(command, name -> new ConcurrentLinkedQueue<>()).add(seconds);
    }

    final void forgetDurations() {
        durations.clear();
    }

    /** Seconds by command. */
    final Map<String, List<Double>> durations() {
        Map<String, List<Double>> copy = new LinkedHashMap<>();
        durations.forEach((command, seconds) -> copy.put(command, new ArrayList<>(seconds)));
        return copy;
    }
}
