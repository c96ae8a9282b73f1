using System;
using Text = System.Text;
using static System.Math;

namespace Shop.Front
{
    /// <summary>What a customer carries.</summary>
    [Serializable]
    public class Basket<T> : Base, IItem
    {
        private const int Limit = 10;
        public string Owner { get; set; } = "";
        public int Count => items.Count;
        public event EventHandler Changed;

        public Basket(string owner) { Owner = owner; }

        /// <summary>
        /// Adds one.
        /// </summary>
        public async Task<int> Put<R>(T item)
        {
            items?.Add(item);
            return Max(new List<int>(), Convert.ToInt32(1));
        }

        enum Size { Small, Large }
    }

    interface IItem { double Price(int day); }
    struct Point { public int X; }
    record Pair(int A, int B);
    delegate void Notify(string text);
}
