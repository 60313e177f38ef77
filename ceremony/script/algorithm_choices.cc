#include "ceremony/script/algorithm_choices.h"

#include "ceremony/x509/signature_algorithm.h"
#include "hsm/base/public_key.h"

namespace ceremony::script {

std::vector<ChoiceName> KeyChoices() {
  std::vector<ChoiceName> choices;
  for (const base::KeyAlgorithmFacts& facts : base::KeyAlgorithms())
    choices.push_back({std::string(facts.name), std::string(facts.title)});
  return choices;
}

std::vector<ChoiceName> SignatureChoices() {
  std::vector<ChoiceName> choices;
  for (const x509::SignatureAlgorithmFacts& facts : x509::SignatureAlgorithms())
    choices.push_back({std::string(facts.name), std::string(facts.clause)});
  return choices;
}

}  // namespace ceremony::script
