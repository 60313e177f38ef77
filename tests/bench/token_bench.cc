// What token.verify costs on a full token: 5,000 key pairs, 10,000 objects on SoftHSM, all known to the estate. Put
// TMPDIR on a memory file system (/dev/shm) to leave the disk out of it. KEYCEREMONY_BENCH_OBJECTS makes it smaller.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "ceremony/steps/token_findings.h"
#include "hsm/base/encoding.h"
#include "hsm/inventory.h"
#include "hsm/keygen.h"
#include "tests/support/softhsm.h"

namespace {

using ceremony::estate::Estate;

// What a module is asked of each object when nothing is kept: the attributes of an inventory, into buffers that fit.
constexpr CK_ATTRIBUTE_TYPE kAsked[] = {CKA_CLASS,
                                        CKA_TOKEN,
                                        CKA_PRIVATE,
                                        CKA_LABEL,
                                        CKA_KEY_TYPE,
                                        CKA_ID,
                                        CKA_SENSITIVE,
                                        CKA_ENCRYPT,
                                        CKA_DECRYPT,
                                        CKA_WRAP,
                                        CKA_UNWRAP,
                                        CKA_SIGN,
                                        CKA_VERIFY,
                                        CKA_DERIVE,
                                        CKA_EXTRACTABLE,
                                        CKA_LOCAL,
                                        CKA_NEVER_EXTRACTABLE,
                                        CKA_ALWAYS_SENSITIVE,
                                        CKA_KEY_GEN_MECHANISM,
                                        CKA_MODIFIABLE,
                                        CKA_COPYABLE,
                                        CKA_DESTROYABLE,
                                        CKA_EC_PARAMS,
                                        CKA_EC_POINT,
                                        CKA_PUBLIC_KEY_INFO};

std::size_t ObjectCount() {
  const char* const said = std::getenv("KEYCEREMONY_BENCH_OBJECTS");
  return said == nullptr ? 10'000 : std::strtoul(said, nullptr, 10);
}

// One token for all of the program: to fill it takes longer than to look at it.
class FullToken final {
 public:
  FullToken() {
    const hsm::Quirks& quirks = session().quirks();
    for (std::size_t i = 0; i < ObjectCount() / 2; ++i) {
      const hsm::KeyPairSpec spec{.label = fmt::format("issuing-{:05}", i),
                                  .id = {static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}};
      const hsm::Template public_template = hsm::PublicTemplate(spec, quirks);
      const hsm::Template private_template = hsm::PrivateTemplate(spec, quirks);
      CK_MECHANISM mechanism{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
      CK_OBJECT_HANDLE handles[2] = {};
      auto publics = public_template.Native();
      auto privates = private_template.Native();
      if (session().api().GenerateKeyPair(session().handle(), &mechanism, publics.data(), publics.size(),
                                          privates.data(), privates.size(), &handles[0], &handles[1]) != CKR_OK)
        std::abort();
    }
    const auto inventory = hsm::TakeInventory(session());
    if (!inventory.ok() || inventory->items.size() != ObjectCount()) std::abort();
    Know(*inventory);
  }

  hsm::Session& session() { return login_.session(); }
  const Estate& estate() const { return estate_; }

 private:
  void Know(const hsm::Inventory& inventory) {
    using namespace ceremony::estate;  // NOLINT(google-build-using-namespace)
    const Provenance made{"0001-bench", 1, "2026-01-01T00:00:00.000000Z"};
    bool known =
        estate_.Apply(TokenCommissioned{"live", "bench", "S1", "M", "m", "1", "live", "organisation"}, made).ok();
    for (const hsm::InventoryItem& item : inventory.items) {
      if (item.object.object_class() != CK_OBJECT_CLASS{CKO_PUBLIC_KEY}) continue;
      const std::string id = base::HexEncode(item.object.id());
      known =
          known &&
          estate_.Apply(KeyCreated{"issuing-" + id, "ec-p256", "sign", item.spki_sha256, "live", "S1", id, false}, made)
              .ok();
    }
    if (!known || estate_.keys().size() != ObjectCount() / 2) std::abort();
  }

  support::SoftHsm soft_;
  std::shared_ptr<hsm::Token> token_ = support::SoftHsm::MakeToken(soft_.Load(), "bench");
  hsm::LoginScope login_ = support::SoftHsm::Login(token_);
  Estate estate_;
};

FullToken& Full() {
  static FullToken token;
  return token;
}

void BareEnumeration(benchmark::State& state) {
  hsm::Session& session = Full().session();
  hsm::CryptokiApi& api = session.api();
  std::vector<CK_OBJECT_HANDLE> handles(ObjectCount() + 1);
  std::array<std::array<std::uint8_t, 256>, std::size(kAsked)> values{};
  for (auto _ : state) {
    CK_ULONG count = 0;
    if (api.FindObjectsInit(session.handle(), nullptr, 0) != CKR_OK ||
        api.FindObjects(session.handle(), handles.data(), handles.size(), &count) != CKR_OK ||
        api.FindObjectsFinal(session.handle()) != CKR_OK || count != ObjectCount())
      std::abort();
    for (CK_ULONG i = 0; i < count; ++i) {
      std::array<CK_ATTRIBUTE, std::size(kAsked)> asked{};
      for (std::size_t j = 0; j < asked.size(); ++j) asked[j] = {kAsked[j], values[j].data(), values[j].size()};
      // A public key has no CKA_SENSITIVE: the return value says so, and the rest is there.
      benchmark::DoNotOptimize(api.GetAttributeValue(session.handle(), handles[i], asked.data(), asked.size()));
    }
  }
}
BENCHMARK(BareEnumeration)->Unit(benchmark::kMillisecond);

// The inventory with its digest, and every object held against the estate.
void VerifyToken(benchmark::State& state) {
  FullToken& full = Full();
  for (auto _ : state) {
    const auto inventory = hsm::TakeInventory(full.session());
    if (!inventory.ok()) std::abort();
    const auto findings = ceremony::steps::CompareObjects(full.estate(), "live", *inventory,
                                                          [](const hsm::InventoryItem&) { return false; });
    if (!findings.empty()) state.SkipWithError(findings.front().message.c_str());
  }
}
BENCHMARK(VerifyToken)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
