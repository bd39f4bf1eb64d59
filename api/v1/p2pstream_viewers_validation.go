package v1

import (
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

func (s *ViewersSpec) validate(at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if t := s.Tickets; t != nil {
		if t.Lifetime != nil && (t.Lifetime.Duration < time.Minute || t.Lifetime.Duration > 720*time.Hour) {
			errs = append(errs, field.Invalid(at.Child("tickets", "lifetime"), t.Lifetime.Duration.String(), "viewers.tickets.lifetime must be between 1m and 720h"))
		}
		if s.Tokens != nil && t.Required != nil && !*t.Required {
			errs = append(errs, field.Invalid(at, false, "viewers.tokens needs tickets: remove viewers.tickets.required, or set it to true"))
		}
	}
	if s.Tokens != nil {
		errs = append(errs, s.Tokens.validate(at.Child("tokens"))...)
	}
	return errs
}

func (s *TokensSpec) validate(at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if (s.SecretRef != nil) == (s.ConfigMapRef != nil) {
		errs = append(errs, field.Invalid(at, "", "viewers.tokens must have either secretRef or configMapRef: where the keys of the tokens are"))
	}
	errs = append(errs, s.SecretRef.validate(at.Child("secretRef", "name"))...)
	errs = append(errs, s.ConfigMapRef.validate(at.Child("configMapRef", "name"))...)
	for name, text := range map[string]string{"issuer": s.Issuer, "audience": s.Audience} {
		if utf8.RuneCountInString(text) > 512 {
			errs = append(errs, field.TooLong(at.Child(name), text, 512))
		}
	}
	if d := s.ClockSkew; d != nil && (d.Duration < 0 || d.Duration > 10*time.Minute) {
		errs = append(errs, field.Invalid(at.Child("clockSkew"), d.Duration.String(), "viewers.tokens.clockSkew must be between 0s and 10m"))
	}
	return errs
}

func (s *ConfigMapReference) validate(at *field.Path) field.ErrorList {
	if s == nil {
		return nil
	}
	if s.Name == "" {
		return field.ErrorList{field.Required(at, "")}
	}
	if len(s.Name) <= 253 && secretName.MatchString(string(s.Name)) {
		return nil
	}
	return field.ErrorList{field.Invalid(at, string(s.Name), "must be the name of a ConfigMap: lower case letters, digits, - and .")}
}
