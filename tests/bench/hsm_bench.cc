// What the PKCS#11 client costs beside the bare calls, on SoftHSM. Put TMPDIR on
// a memory file system (/dev/shm) to leave the disk out of it.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "hsm/inventory.h"
#include "hsm/keygen.h"
#include "hsm/lookup.h"
#include "hsm/sign.h"
#include "hsm/wrap.h"
#include "tests/support/softhsm.h"

namespace {

// Takes an inventory before and after each consequential call, as a ceremony
// does, and adds up the time inside the module.
class CeremonyObserver final : public hsm::CallObserver {
 public:
  void Called(hsm::Function, CK_RV, std::chrono::nanoseconds duration) override { inside_ += duration; }
  base::Result<void> Before(const hsm::ConsequentialCall& call) override { return Take(call); }
  base::Result<void> After(const hsm::ConsequentialCall& call, const hsm::CallOutcome&) override { return Take(call); }
  void set_taking(bool taking) { taking_ = taking; }
  std::chrono::nanoseconds inside() const { return inside_; }

 private:
  base::Result<void> Take(const hsm::ConsequentialCall& call) {
    if (taking_ && call.session != nullptr) KC_RETURN_IF_ERROR(hsm::TakeInventory(*call.session));
    return {};
  }
  bool taking_ = false;
  std::chrono::nanoseconds inside_{};
};

struct Bench {
  support::SoftHsm soft;
  std::shared_ptr<CeremonyObserver> observer = std::make_shared<CeremonyObserver>();
  std::shared_ptr<hsm::Token> token = support::SoftHsm::MakeToken(soft.Load(observer), "bench");
  hsm::LoginScope login = support::SoftHsm::Login(token);
  hsm::Session& session() { return login.session(); }
};

const hsm::KeyPairSpec kSpec{.label = "key", .id = {1}};

// One C_GenerateKeyPair with the same templates, and nothing else.
void BareKeyPair(benchmark::State& state) {
  Bench bench;
  for (auto _ : state) {
    const hsm::Template public_template = hsm::PublicTemplate(kSpec, bench.session().quirks());
    const hsm::Template private_template = hsm::PrivateTemplate(kSpec, bench.session().quirks());
    CK_MECHANISM mechanism{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
    CK_OBJECT_HANDLE handles[2] = {};
    auto publics = public_template.Native();
    auto privates = private_template.Native();
    if (bench.session().api().GenerateKeyPair(bench.session().handle(), &mechanism, publics.data(), publics.size(),
                                              privates.data(), privates.size(), &handles[0], &handles[1]) != CKR_OK) {
      std::abort();
    }
    state.PauseTiming();
    for (const CK_OBJECT_HANDLE handle : handles) bench.session().api().DestroyObject(bench.session().handle(), handle);
    state.ResumeTiming();
  }
}
BENCHMARK(BareKeyPair)->Unit(benchmark::kMillisecond);

// The same with every check, read-back and two inventories.
void CheckedKeyPair(benchmark::State& state) {
  Bench bench;
  std::chrono::nanoseconds inside{};
  for (auto _ : state) {
    const std::chrono::nanoseconds before = bench.observer->inside();
    bench.observer->set_taking(true);
    auto made = hsm::GenerateKeyPair(bench.session(), kSpec);
    if (!made.key.ok()) std::abort();
    inside += bench.observer->inside() - before;
    state.PauseTiming();
    bench.observer->set_taking(false);
    if (!hsm::DestroyKeyPair(bench.session(), made.key->pair).ok()) std::abort();
    state.ResumeTiming();
  }
  state.counters["in_pkcs11_ms"] =
      benchmark::Counter(std::chrono::duration<double, std::milli>(inside).count(), benchmark::Counter::kAvgIterations);
}
BENCHMARK(CheckedKeyPair)->Unit(benchmark::kMillisecond);

// One P-256 signature, verified in software before it is returned.
void VerifiedSignature(benchmark::State& state) {
  Bench bench;
  auto made = hsm::GenerateKeyPair(bench.session(), kSpec);
  if (!made.key.ok()) std::abort();
  for (auto _ : state) {
    if (!hsm::Sign(bench.session(), made.key->pair, base::SignatureScheme::kEcdsa, base::AsBytes("message"),
                   hsm::Consequence::kLogKey)
             .ok()) {
      std::abort();
    }
  }
}
BENCHMARK(VerifiedSignature)->Unit(benchmark::kMicrosecond);

// A whole inventory; `in_pkcs11_ms` is the share of the module.
void InventoryOf(benchmark::State& state) {
  Bench bench;
  for (std::int64_t i = 0; i < state.range(0) / 2; ++i) {
    hsm::KeyPairSpec spec{.label = "key", .id = {static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}};
    if (!hsm::GenerateKeyPair(bench.session(), spec).key.ok()) std::abort();
  }
  const std::chrono::nanoseconds before = bench.observer->inside();
  for (auto _ : state) {
    if (!hsm::TakeInventory(bench.session()).ok()) std::abort();
  }
  state.counters["in_pkcs11_ms"] =
      benchmark::Counter(std::chrono::duration<double, std::milli>(bench.observer->inside() - before).count(),
                         benchmark::Counter::kAvgIterations);
}
BENCHMARK(InventoryOf)->Arg(4)->Arg(40)->Unit(benchmark::kMillisecond);

// One P-256 key to ten tokens as key.clone does it, with every check, read-back and trial and an
// inventory before and after each consequential call. `bare_ms` is the module's share of the same
// without the inventories: what the copies cost in PKCS#11 calls alone.
void CloneToTenTokens(benchmark::State& state) {
  constexpr int kTargets = 10;
  Bench bench;
  const auto module = bench.token->module().shared_from_this();
  std::vector<hsm::LoginScope> targets;
  targets.reserve(kTargets);
  for (int i = 0; i < kTargets; ++i)
    targets.push_back(support::SoftHsm::Login(support::SoftHsm::MakeToken(module, "target" + std::to_string(i))));
  hsm::KeyPairSpec source = kSpec;
  source.extractable = hsm::Extractable::kYes;
  source.modifiable = hsm::Modifiable::kYes;
  hsm::KeyPairSpec copy = kSpec;
  copy.modifiable = hsm::Modifiable::kYes;
  auto made = hsm::GenerateKeyPair(bench.session(), source);
  if (!made.key.ok()) std::abort();
  const auto ways = hsm::CopyWays(*bench.token, targets.front().session().token());
  if (!ways.ok() || ways->empty()) std::abort();
  // ECDH, the last: with RSA the generation of the transport keys is nearly all there is.
  const hsm::CopyWay& way = ways->back();
  const auto copy_all = [&] {
    for (hsm::LoginScope& target : targets) {
      if (!hsm::CopyKey(bench.session(), made.key->pair, target.session(), way, copy).copy.ok()) std::abort();
    }
  };
  const auto remove_all = [&] {
    for (hsm::LoginScope& target : targets) {
      const auto found = hsm::FindKeyBySpki(target.session(), made.key->pair.public_key);
      if (!found.ok() || !hsm::DestroyKeyPair(target.session(), *found).ok()) std::abort();
    }
  };
  const std::chrono::nanoseconds before = bench.observer->inside();
  copy_all();
  const std::chrono::nanoseconds bare = bench.observer->inside() - before;
  remove_all();
  for (auto _ : state) {
    bench.observer->set_taking(true);
    copy_all();
    bench.observer->set_taking(false);
    state.PauseTiming();
    remove_all();
    state.ResumeTiming();
  }
  state.counters["bare_ms"] = std::chrono::duration<double, std::milli>(bare).count();
}
BENCHMARK(CloneToTenTokens)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
