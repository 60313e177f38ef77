// Splitting, sealing and recombining every subset: what commissioning a token adds before anybody opens a share.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "ceremony/quorum/share_set.h"
#include "ceremony/quorum/software_agreement_key.h"
#include "hsm/base/encoding.h"

namespace {

using namespace ceremony;

script::Roster People(int m, int n) {
  script::Roster roster;
  roster.estate = "smki.example";
  roster.quorums = {{"custodians", m, script::Role::kCustodian}};
  for (int i = 0; i < n; ++i) {
    script::Person person;
    person.id = fmt::format("p{}", i);
    person.roles = {script::Role::kCustodian};
    person.state = script::PersonState::kActive;
    person.sign_key = "present";
    const auto key = quorum::SoftwareAgreementKey::Generate();
    person.open_key = base::Base64Encode((*key)->public_key().spki());
    roster.people.push_back(std::move(person));
  }
  return roster;
}

// Both PINs of a token, 16 and 24 characters.
void MakeSet(benchmark::State& state) {
  const script::Roster roster = People(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
  const base::SecretBytes user = base::SecretBytes::CopyOf(base::AsBytes("0123456789ABCDEF"));
  const base::SecretBytes officer = base::SecretBytes::CopyOf(base::AsBytes("0123456789ABCDEFGHJKLMNP"));
  for (auto _ : state) {
    const auto made = quorum::MakeShareSet(roster, roster.quorums[0], "root-hsm", 1, {user, officer});
    if (!made.ok()) state.SkipWithError(made.error().message.c_str());
    benchmark::DoNotOptimize(made);
  }
}
BENCHMARK(MakeSet)->Args({3, 5})->Args({5, 9})->Args({5, 15})->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
