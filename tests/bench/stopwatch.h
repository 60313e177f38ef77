// What a program that has the stopwatch (stopwatch.cc) loaded before it says at its end: how long it was inside
// PKCS#11, and in fsync and fdatasync outside of it.
#ifndef TESTS_BENCH_STOPWATCH_H_
#define TESTS_BENCH_STOPWATCH_H_

// The descriptor that the figures are written to, by its number: environment variable of the program.
inline constexpr char kStopwatchDescriptor[] = "KEYCEREMONY_STOPWATCH";

struct Inside {
  double pkcs11_ms = 0;
  double sync_ms = 0;
  int calls = 0;
  int syncs = 0;
  double aside_ms = 0;  // of sync_ms, on threads beside the main one
};

#endif  // TESTS_BENCH_STOPWATCH_H_
