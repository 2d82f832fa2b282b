"""The grammar of FEEL (DMN 1.5 §10.3.1.2) as a lark LALR(1) grammar, over the tokens that `lexer` makes.

Precedence, loosest first: if/for/some/every/function, or, and, comparison, + -, * /, **, instance of, unary minus,
then paths, filters and calls. An `if` and its like may stand as right operand and then reaches as far as it can
(lark settles such shift/reduce conflicts by shifting). The lexer decides what LALR(1) cannot: how far a name reaches,
whether "]" opens a range and "[" closes one, whether "-" or "not" is the whole of a unary test.
"""

GRAMMAR = r"""
start: expression
start_tests: DASH                                                   -> any_tests
    | _NOT_TESTS "(" tests ")"                                      -> negated_tests
    | tests                                                         -> plain_tests
tests: expression ("," expression)*

?expression: prefix | disjunction | unary_test
unary_test: test_operator additive
!test_operator: "=" | "!=" | "<" | "<=" | ">" | ">="

?prefix: _IF expression _THEN expression _ELSE expression           -> if_then_else
    | _FOR iterators _RETURN expression                             -> for_loop
    | (SOME | EVERY) iterators _SATISFIES expression                -> quantified
    | FUNCTION "(" [parameters] ")" [EXTERNAL] expression           -> function
iterators: iterator ("," iterator)*
iterator: NAME IN expression [".." expression]
parameters: parameter ("," parameter)*
parameter: NAME [":" type]

?disjunction: conjunction | disjunction OR (conjunction | prefix)   -> logical
?conjunction: comparison | conjunction AND (comparison | prefix)    -> logical
?comparison: additive
    | comparison test_operator (additive | prefix)                  -> comparison
    | comparison BETWEEN additive AND (additive | prefix)           -> between
    | comparison IN in_operand                                      -> in_tests
in_operand: additive | prefix | unary_test | "(" expression "," tests ")"
?additive: multiplicative
    | additive add_operator (multiplicative | prefix)               -> arithmetic
!add_operator: "+" | "-"
?multiplicative: power
    | multiplicative multiply_operator (power | prefix)             -> arithmetic
!multiply_operator: "*" | "/"
?power: instance | power POW (instance | prefix)                    -> arithmetic
?instance: unary | instance INSTANCE_OF type                        -> instance_of
?unary: postfix | MINUS unary                                       -> negation

?postfix: primary
    | postfix "." NAME                                              -> path
    | postfix LBRACKET expression "]"                               -> filter
    | postfix LPAR [arguments] ")"                                  -> call
arguments: expression ("," expression)*                             -> positional
    | named_argument ("," named_argument)*                          -> named
named_argument: NAME ":" expression

?primary: NAME                                                      -> name
    | (NULL | TRUE | FALSE | NUMBER | STRING)                       -> literal
    | AT                                                            -> at_literal
    | "(" expression ")"
    | LBRACKET [expression ("," expression)*] "]"                   -> list
    | LBRACE [entry ("," entry)*] "}"                               -> context
    | (LPAR | LBRACKET | RANGE_OPEN) expression ".." expression (RPAR | RBRACKET | RANGE_CLOSE)   -> interval
entry: (NAME | STRING) ":" expression

type: NAME ("." NAME)*                                              -> simple_type
    | (FUNCTION | NULL)                                             -> simple_type
    | NAME "<" type ">"                                             -> generic_type
    | NAME "<" member ("," member)* ">"                             -> context_type
    | FUNCTION "<" [type ("," type)*] ">" ["->" type]               -> function_type
member: NAME ":" type

MINUS: "-"
LPAR: "("
RPAR: ")"
LBRACKET: "["
RBRACKET: "]"
LBRACE: "{"
POW: "**"
%declare NAME NUMBER STRING AT NULL TRUE FALSE _IF _THEN _ELSE _FOR IN _RETURN SOME EVERY _SATISFIES FUNCTION EXTERNAL
%declare AND OR BETWEEN INSTANCE_OF RANGE_OPEN RANGE_CLOSE DASH _NOT_TESTS
"""
