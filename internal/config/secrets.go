package config

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/backsoon/backsoon/internal/strictyaml"
	"github.com/backsoon/backsoon/notify/webhook"
)

var variable = regexp.MustCompile(`\$\{([^}]*)\}?`)

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// secretKeys hold what may be missing where nothing is delivered, and may never
// be shown.
var secretKeys = []string{"secret", "secrets", "password", "key", "database"}

// expand puts the environment's values for each ${NAME} in an ordinary value.
// Secrets are left to secret, which forgives a name that isn't set.
func (r *reader) expand(v strictyaml.Value, text string) (string, bool) {
	if slices.Contains(secretKeys, v.Key) {
		return text, true
	}
	text, missing := r.substitute(v, text)
	if missing != "" {
		v.Errorf("the environment variable %s is not set; set it, or write the value itself", missing)
	}
	return text, missing == ""
}

// substitute names the first variable that isn't set.
func (r *reader) substitute(v strictyaml.Value, text string) (expanded, missing string) {
	expanded = variable.ReplaceAllStringFunc(text, func(s string) string {
		name := strings.TrimSuffix(s[2:], "}")
		if !variableName.MatchString(name) || !strings.HasSuffix(s, "}") {
			v.Errorf("${ begins the name of an environment variable; write it as in ${WEB_SECRET}")
			return s
		}
		value, ok := r.getenv(name)
		if !ok && missing == "" {
			missing = name
		}
		return value
	})
	return expanded, missing
}

// secret reads the key of a map, or the file that key_file names, for a user
// such as "storefront web". It is empty when there is neither, or when it cannot
// be read; unset then says so.
func (r *reader) secret(v strictyaml.Value, key, user string) string {
	inline, file := v.Get(key), v.Get(key+"_file")
	if inline.Present() && file.Present() {
		file.Errorf("%s is there, too; keep one of them", key)
		return ""
	}
	if file.Present() {
		return r.secretFile(file, user)
	}
	return r.secretText(inline, user)
}

func (r *reader) secretText(v strictyaml.Value, user string) string {
	text, ok := v.Text(`"${WEB_SECRET}"`)
	if !ok {
		return ""
	}
	text, missing := r.substitute(v, text)
	if missing != "" {
		r.lacks("%s is not set; %s needs it", missing, user)
		return ""
	}
	if text == "" {
		r.lacks("%s in line %d of %s is empty; %s needs it", v.Key, v.Line, File, user)
	}
	return text
}

func (r *reader) secretFile(v strictyaml.Value, user string) string {
	name, ok := v.Text("secrets/web")
	if !ok {
		return ""
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.dir, path)
	}
	src, err := readFile(path)
	text := strings.TrimRight(string(src), "\r\n")
	switch {
	case err != nil:
		r.lacks("the file %s cannot be read; %s needs it", name, user)
	case len(src) > maxSize:
		r.lacks("the file %s is too large for a secret; %s needs it", name, user)
		return ""
	case text == "":
		r.lacks("the file %s is empty; %s needs it", name, user)
	}
	return text
}

func (r *reader) lacks(format string, args ...any) {
	if s := fmt.Sprintf(format, args...); !slices.Contains(r.unset, s) {
		r.unset = append(r.unset, s)
	}
}

// secrets reads a webhook's signing secrets: one, or a list of the new one and
// those that still count while rotating.
func (r *reader) secrets(v strictyaml.Value, user string) []string {
	var secrets []string
	add := func(at strictyaml.Value, secret string) {
		if secret != "" && !webhook.ValidSecret(secret) {
			at.Errorf("is no signing secret; write whsec_ and then what `openssl rand -base64 32` prints")
		}
		if secret != "" {
			secrets = append(secrets, secret)
		}
	}
	single, list := v.Get("secret").Present() || v.Get("secret_file").Present(), v.Get("secrets")
	switch {
	case single && list.Present():
		list.Errorf("secret is there, too; keep one of them")
	case list.Present():
		for _, item := range list.List(`"${WEB_SECRET}"`) {
			add(item, r.secretText(item, user))
		}
		if list.IsList() && len(list.List("")) == 0 {
			list.Errorf(`is empty; write secrets: ["${WEB_SECRET}"]`)
		}
	case !single:
		v.Errorf(`secret is missing; write secret: "${WEB_SECRET}", and set WEB_SECRET to whsec_ and then what openssl rand -base64 32 prints`)
	default:
		at := v.Get("secret")
		if !at.Present() {
			at = v.Get("secret_file")
		}
		add(at, r.secret(v, "secret", user))
	}
	return secrets
}
