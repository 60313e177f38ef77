// What hsm makes of a token with bad habits.
#include <doctest/doctest.h>

#include "hsm/lookup.h"
#include "hsm/sign.h"
#include "tests/unit/hsm/fake_world.h"

namespace {

using support::Bad;
using support::FakeHabits;
using support::Good;

const hsm::KeyPairSpec kSpec{.label = "root", .id = {1}};

// What became of making a key: "" or the rule, or the error's code.
std::string Making(FakeWorld& world) {
  hsm::LoginScope login = world.Login();
  const hsm::KeyGeneration made = hsm::GenerateKeyPair(login.session(), kSpec);
  if (made.key.ok()) return "made";
  return made.key.error().rule.empty() ? base::ErrorCodeName(made.key.error().code) : made.key.error().rule;
}

std::string Signing(FakeHabits::Signatures signatures) {
  FakeWorld world;
  hsm::LoginScope login = world.Login();
  hsm::KeyGeneration made = hsm::GenerateKeyPair(login.session(), kSpec);
  const hsm::KeyPair pair = Good(std::move(made.key)).pair;
  const auto sign = [&](std::string_view message) {
    return hsm::Sign(login.session(), pair, base::SignatureScheme::kEcdsa, base::AsBytes(message),
                     hsm::Consequence::kLogKey);
  };
  Good(sign("first"));
  world.habits().signatures = signatures;
  const auto signature = sign("second");
  if (!signature.ok()) {
    return signature.error().rule.empty() ? base::ErrorCodeName(signature.error().code) : signature.error().rule;
  }
  CHECK(base::CheckStrictLowSDer(base::Curve::kP256, *signature).ok());
  CHECK(pair.public_key.Verify(base::SignatureScheme::kEcdsa, base::AsBytes("second"), *signature).ok());
  return "signed";
}

}  // namespace

TEST_CASE("a token without bad habits makes a key that is found and signs") {
  FakeWorld world;
  hsm::LoginScope login = world.Login();
  for (const base::KeyAlgorithmFacts& facts : base::KeyAlgorithms()) {
    if (facts.bits > 2048) continue;
    CAPTURE(facts.name);
    hsm::KeyPairSpec spec = kSpec;
    spec.algorithm = facts.algorithm;
    spec.id = {static_cast<std::uint8_t>(10 + static_cast<int>(facts.algorithm))};
    hsm::KeyGeneration made = hsm::GenerateKeyPair(login.session(), spec);
    const hsm::KeyPair pair = Good(std::move(made.key)).pair;
    CHECK(pair.public_key.algorithm() == facts.algorithm);
    CHECK(Good(hsm::FindKeyBySpki(login.session(), pair.public_key)).private_object.handle() ==
          pair.private_object.handle());
    Good(hsm::Sign(login.session(), pair, hsm::DefaultScheme(facts.algorithm), base::AsBytes("message"),
                   hsm::Consequence::kLogKey));
  }
}

TEST_CASE("forms that tokens choose differently make no difference") {
  for (const bool raw : {false, true}) {
    for (const auto info :
         {FakeHabits::PublicInfo::kAbsent, FakeHabits::PublicInfo::kEmpty, FakeHabits::PublicInfo::kPresent}) {
      FakeWorld world;
      world.habits().raw_ec_point = raw;
      world.habits().public_key_info = info;
      CHECK(Making(world) == "made");
    }
  }
}

TEST_CASE("a key that is not what was asked is refused by the rule of what is wrong") {
  const auto with = [](auto habit) {
    FakeWorld world;
    habit(world.habits());
    return Making(world);
  };
  CHECK(with([](FakeHabits& habits) { habits.generate_ignores_protection = true; }) == "KEY-ATTR-01");
  CHECK(with([](FakeHabits& habits) { habits.loses_id = true; }) == "KEY-ATTR-10");
  CHECK(with([](FakeHabits& habits) { habits.lies[CKA_LOCAL] = {0}; }) == "KEY-ATTR-03");
  CHECK(with([](FakeHabits& habits) { habits.lies[CKA_MODIFIABLE] = {1}; }) == "KEY-ATTR-06");
  CHECK(with([](FakeHabits& habits) { habits.lies[CKA_EC_POINT] = {4, 1, 2}; }) == "KEY-ATTR-11");
  CHECK(with([](FakeHabits& habits) { habits.object_capacity = 1; }) == "token");
}

TEST_CASE("a signature that a token spoils is never returned") {
  using Signatures = FakeHabits::Signatures;
  CHECK(Signing(Signatures::kGood) == "signed");
  CHECK(Signing(Signatures::kHighS) == "signed");
  CHECK(Signing(Signatures::kStripped) == "signed");
  CHECK(Signing(Signatures::kWrong) == "KEY-SIGN-01");
  CHECK(Signing(Signatures::kTruncated) == "KEY-SIGN-01");
  CHECK(Signing(Signatures::kConstant) == "KEY-SIGN-01");
  CHECK(Signing(Signatures::kEmpty) == "token");
}

TEST_CASE("a module that writes past short buffers is asked for every size first") {
  FakeWorld world;
  world.device->manufacturer = "Mozilla Foundation";
  world.device->description = "NSS Internal Crypto Services";
  world.device->slots[0].habits.unwrap_needs_nss_db = true;
  hsm::LoginScope login = world.Login();
  support::FakeObject long_label;
  CK_OBJECT_HANDLE object = 0;
  hsm::Template data;
  data.Number(CKA_CLASS, CKO_DATA).Bool(CKA_TOKEN, false).Bool(CKA_PRIVATE, false);
  data.Text(CKA_LABEL, std::string(5000, 'x'));
  const auto native = data.Native();
  REQUIRE(login.session().api().CreateObject(login.session().handle(), native.data(), native.size(), &object) ==
          CKR_OK);
  const CK_ATTRIBUTE_TYPE types[] = {CKA_CLASS, CKA_LABEL, CKA_ID, CKA_TOKEN};
  const hsm::AttributeSet set = Good(login.session().ReadAttributes(object, types));
  CHECK(set.Value(CKA_LABEL).size() == 5000);
  CHECK(set.state(CKA_ID) == hsm::AttributeState::kAbsent);
  CHECK(world.slot().short_reads == 0);
}

TEST_CASE("a token that is pulled is gone for its sessions, also when it comes back") {
  FakeWorld world;
  hsm::LoginScope login = world.Login();
  world.slot().pulled = true;
  CHECK(Bad(login.session().FindAll(hsm::Template())).rv == CKR_DEVICE_REMOVED);
  world.slot().pulled = false;
  CHECK(Bad(login.session().FindAll(hsm::Template())).rv == CKR_SESSION_HANDLE_INVALID);
}

TEST_CASE("a wrong PIN is tried once, and never when it would be the last") {
  FakeWorld world;
  world.Load();
  const auto login = [&](std::string_view pin) {
    return hsm::LoginScope::Open(world.token, hsm::User::kUser, base::SecretBytes::CopyOf(base::AsBytes(pin)));
  };
  CHECK(Bad(login("9999999")).rv == CKR_PIN_INCORRECT);
  CHECK(world.slot().user_failures == 1);
  CHECK(Bad(login("9999999")).rv == CKR_PIN_INCORRECT);
  CHECK(Bad(login("9999999")).rule == "TOKEN-LOGIN-02");
  CHECK(Bad(login("1234567")).rule == "TOKEN-LOGIN-02");
  CHECK(world.slot().user_failures == 2);
}

TEST_CASE("what the power cut left of a key pair is on the token, and in its inventory") {
  using Torn = FakeHabits::Torn;
  const std::pair<Torn, std::size_t> cases[] = {{Torn::kNothing, 0},
                                                {Torn::kPublicAlone, 1},
                                                {Torn::kPrivateAlone, 1},
                                                {Torn::kWithoutId, 2},
                                                {Torn::kWithoutClass, 2}};
  for (const auto& [torn, left] : cases) {
    FakeWorld world;
    bool cut = false;
    world.device->power_cut = [&cut] { cut = true; };
    world.habits().torn = torn;
    CHECK(Making(world) == "token");
    CHECK(cut);
    CHECK(world.slot().objects.size() == left);
  }
}
