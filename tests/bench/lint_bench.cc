// What linting costs: one certificate of smart metering's size from memory, and
// a bundle from a file, as `keyceremony lint --alone` reads it.
//
// Hold: LintBundle `per_core` >= 50,000 certificates a second of CPU time, and
// `resident_growth` the same for any size. The certificate is one of openssl's,
// its serial number patched: lint judges the form of a signature, not whether
// it verifies.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "ceremony/x509/bulk_lint.h"
#include "ceremony/x509/lint.h"
#include "hsm/base/encoding.h"

namespace {

using namespace ceremony::x509;

// An end entity on P-256, 384 octets; see docs/performance.md for how it was
// made.
constexpr std::string_view kCertificate =
    "3082017c30820121a00302010202104a0102030405060708090a0b0c0d0e0f300a06082a86"
    "48ce3d040302301a310b3009060355040b"
    "0c023037310b300906035504030c025a31301e170d3236313132383232353035315a170d32"
    "39303531363232353035315a3011310f30"
    "0d06035504030c066465766963653059301306072a8648ce3d020106082a8648ce3d030107"
    "034200040b534b6f8f64d656c0e70f477a"
    "7ec59234173f8517f869faad8fb4f7c9fa9cd577f9ad2f61df48ad3659ac23cd7ae642c6cf"
    "960785f8b5e0d2739134cf6e30f9a35230"
    "50300e0603551d0f0101ff040403020780301d0603551d0e04160414f2c51d8f86995b4b2f"
    "2cb657ca5735eb669caa9e301f0603551d"
    "23041830168014a5fdb26175a015e2f2aa057a86f3d91d0fc3d21d300a06082a8648ce3d04"
    "03020349003046022100ca7cb595bcc6d0"
    "1d2dac2b2843d01c56106eae5494047ce720de29426f26ece9022100f90ad6348a17ccbefb"
    "80368304c475906053f68e028d59815cf6"
    "eced39002783";
constexpr std::size_t kSerialAt = 23;  // of its last eight octets

void LintOne(benchmark::State& state) {
  const base::Bytes der = base::HexDecode(kCertificate).value();
  const Linter linter(Domain::kByPolicy);
  CertificateView view;
  for ([[maybe_unused]] auto _ : state) {
    Findings findings(der);
    if (!linter.CheckCertificate(der, view, findings)) std::abort();
    benchmark::DoNotOptimize(findings.size());
  }
  state.counters["per_core"] = benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(LintOne);

class Counting final : public BulkSink {
 public:
  void Item(const BulkItem&) override { ++items; }
  void Unreadable(std::uint32_t, const base::Error&) override { std::abort(); }
  void Progress(std::uint64_t, std::uint64_t) override {}
  bool Stop() override { return false; }
  std::uint64_t items = 0;
};

long ResidentKib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

void LintBundle(benchmark::State& state) {
  const auto count = static_cast<std::uint64_t>(state.range(0));
  std::string path = "/tmp/keyceremony-lint-bench-XXXXXX";
  const int fd = mkstemp(path.data());
  if (fd < 0) std::abort();
  {
    base::Bytes der = base::HexDecode(kCertificate).value();
    std::ofstream out(path, std::ios::binary);
    for (std::uint64_t i = 0; i < count; ++i) {
      for (std::size_t octet = 0; octet < 8; ++octet)
        der[kSerialAt + octet] = static_cast<std::uint8_t>(i >> (56 - 8 * octet));
      out.write(reinterpret_cast<const char*>(der.data()), static_cast<std::streamsize>(der.size()));
    }
  }
  const long before = ResidentKib();
  BulkOptions options;
  options.set_rules = SetRules::kNever;
  options.jobs = static_cast<unsigned>(state.range(1));
  for ([[maybe_unused]] auto _ : state) {
    Counting sink;
    if (!BulkLint({path}, options, sink).ok() || sink.items != count) std::abort();
  }
  state.counters["per_core"] = benchmark::Counter(static_cast<double>(count) * static_cast<double>(state.iterations()),
                                                  benchmark::Counter::kIsRate);
  state.counters["resident_growth_kib"] = static_cast<double>(ResidentKib() - before);
  std::remove(path.c_str());
}
// MeasureProcessCPUTime: what all threads took, so that other load does not
// count.
BENCHMARK(LintBundle)
    ->Args({100'000, 1})
    ->Args({100'000, 2})
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);

}  // namespace

BENCHMARK_MAIN();
